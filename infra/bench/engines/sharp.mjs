// sharp, by the same arguments as the others; SHARP names the folder that has it, FAST its fastShrinkOnLoad.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const sharp = createRequire(`${process.env.SHARP}/`)("sharp");
sharp.cache(false);
sharp.concurrency(1);
const [source, format, width, height, output, rounds] = process.argv.slice(2);
const content = readFileSync(source);
const quality = { jpeg: 80, webp: 80, avif: 65 }[format];
const options = { fit: "fill", fastShrinkOnLoad: process.env.FAST === "true" };
const cpu = [], wall = [];
let made;
for (let round = 0; round <= Number(rounds); round++) {
  const used = process.cpuUsage(), started = performance.now();
  const picture = sharp(content).resize(Number(width), Number(height), options);
  made = await picture.toFormat(format, quality ? { quality } : {}).toBuffer();
  const { user, system } = process.cpuUsage(used);
  cpu.push((user + system) / 1000);
  wall.push(performance.now() - started);
}
writeFileSync(output, made);
const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
console.log(JSON.stringify({ cpu: cpu.slice(1), wall: wall.slice(1), peak, bytes: made.length }));
