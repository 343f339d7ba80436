// Package container checks Dockerfile and docker-compose.yml where Docker cannot run: it reads both, builds as the Dockerfile says, and runs
// what the image would hold, as the image's user, in a root directory that has nothing else.
package container
