// Better Auth with its magic-link plugin on SQLite, served by its own handler for Node. Usage: node server.js DATABASE
//
// It prints "port N" when it listens on the loopback interface. GET /captured answers the tokens of the links that were
// "sent" since the last such call, as a JSON list; everything else belongs to Better Auth.
import { createServer } from "node:http";

import Database from "better-sqlite3";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { magicLink } from "better-auth/plugins";

const database = new Database(process.argv[2]);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = FULL");

let captured = [];

const options = {
  baseURL: "http://127.0.0.1",
  secret: "a-fixed-secret-of-a-benchmark-that-protects-nothing",
  database,
  logger: { disabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [magicLink({ expiresIn: 900, sendMagicLink: ({ token }) => void captured.push(token) })],
};

await (await getMigrations(options)).runMigrations();
const handle = toNodeHandler(betterAuth(options));

const server = createServer((request, response) => {
  if (request.url !== "/captured") {
    return handle(request, response);
  }
  const body = JSON.stringify(captured);
  captured = [];
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
});
server.keepAliveTimeout = 600_000; // its connections rest while others are measured
server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
