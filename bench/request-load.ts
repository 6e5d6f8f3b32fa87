// Asks one URL over and over on kept-alive connections for some seconds and prints how many whole answers came:
//   node bench/request-load.ts URL SECONDS CONNECTIONS [API-KEY]
import { connect } from 'node:net';

const [, , address = '', seconds = '5', connections = '32', key] = process.argv;
const url = new URL(address);
const request = Buffer.from(
  `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\n${key === undefined ? '' : `Authorization: Bearer ${key}\r\n`}\r\n`,
);
const buffer = Buffer.allocUnsafeSlow(1 << 20);
let answers = 0;
let bytes = 0;
let isOver = false;

for (let index = 0; index < Number(connections); index++) {
  let left = 0;
  const socket = connect({
    host: url.hostname,
    port: Number(url.port),
    noDelay: true,
    onread: {
      buffer,
      callback: (size) => {
        bytes += size;
        if (left === 0) {
          const head = buffer.toString('latin1', 0, Math.min(size, 2048));
          const end = head.indexOf('\r\n\r\n');
          const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
          if (!head.startsWith('HTTP/1.1 200') || end < 0 || Number.isNaN(length))
            throw new Error(`unexpected answer: ${head.slice(0, 200)}`);
          left = end + 4 + length;
        }
        left -= size;
        if (left > 0) return true;
        answers++;
        if (!isOver) socket.write(request);
        return true;
      },
    },
  });
  socket.on('connect', () => socket.write(request));
  socket.resume();
}
setTimeout(() => {
  isOver = true;
  process.stdout.write(JSON.stringify({ answers, bytes, seconds: Number(seconds) }), () => process.exit(0));
}, Number(seconds) * 1000);
