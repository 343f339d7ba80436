package main

import (
	"context"
	"sync/atomic"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// liveConfig is the configuration in force. A running serve replaces it as a whole.
type liveConfig struct{ now atomic.Pointer[directories] }

// directories are the clients and the businesses of one configuration.
type directories struct {
	clients    httpadapter.ClientDirectory
	businesses directory
	signIn     *signInEntry // nil: nobody signs in by mail
}

// put puts a configuration in force.
func (l *liveConfig) put(config *configFile) error {
	clients, err := config.clients()
	if err != nil {
		return err
	}
	businesses, err := config.directory()
	if err != nil {
		return err
	}
	l.now.Store(&directories{clients, businesses, config.SignIn})
	return nil
}

// FindClient implements [httpadapter.ClientDirectory].
func (l *liveConfig) FindClient(ctx context.Context, id string) (httpadapter.Client, error) {
	return l.now.Load().clients.FindClient(ctx, id)
}

// FindBusiness implements [magiclink.BusinessDirectory].
func (l *liveConfig) FindBusiness(ctx context.Context, tenantID string, ref magiclink.BusinessRef) (magiclink.Business, error) {
	return l.now.Load().businesses.FindBusiness(ctx, tenantID, ref)
}
