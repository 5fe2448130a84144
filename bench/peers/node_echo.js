#!/usr/bin/env node
// node_echo: an echo server on the module net of Node.js: node_echo PORT
// Node.js says itself how much it receives at once.
'use strict';
const net = require('net');

const port = Number(process.argv[2]);
if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) {
  console.error('usage: node_echo PORT (1 to 65535)');
  process.exit(2);
}
const prefix = Buffer.from('GOT:');

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => {
    if (!socket.write(Buffer.concat([prefix, bytes]))) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => socket.destroy());
});
server.on('error', (error) => {
  console.error(`node_echo: ${error.message}`);
  process.exit(1);
});
server.listen({ port, host: '127.0.0.1', backlog: 4096 });
