// sharp behind node's own server: POST /?format=jpeg with the picture, to 800 px.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const sharp = createRequire(`${process.env.SHARP}/`)("sharp");
sharp.cache(false);

async function resize(request, answer) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const format = new URL(request.url, "http://sharp").searchParams.get("format");
  const quality = { jpeg: 80, webp: 80 }[format];
  const picture = sharp(Buffer.concat(parts)).resize(800).toFormat(format, quality ? { quality } : {});
  const made = await picture.toBuffer();
  answer.writeHead(200, { "Content-Type": `image/${format}`, "Content-Length": made.length }).end(made);
}

// A load that ends hangs up in the middle of its requests.
const server = createServer((request, answer) => resize(request, answer).catch(() => answer.destroy()));
server.listen(Number(process.env.PORT), "127.0.0.1");
