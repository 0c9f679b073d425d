/*
 * Random numbers from ChaCha20 (RFC 8439), keyed by the run's seed: the same in a replay, and not to be guessed from
 * what a job shows of them.
 */

const state = new Uint32Array(16);
const block = new Uint32Array(16);
const bytes = new Uint8Array(block.buffer);
let used = 64;

/** `seed` is 32 hex digits; the 128-bit key fills both halves of the key words, as in the 128-bit form of ChaCha. */
export function seedRandom(seed: string): void {
  const constants = [0x61707865, 0x3120646e, 0x79622d36, 0x6b206574];
  for (let i = 0; i < 4; i++) {
    state[i] = constants[i] ?? 0;
    const word = Number.parseInt(seed.slice(i * 8, i * 8 + 8), 16) >>> 0;
    state[4 + i] = word;
    state[8 + i] = word;
  }
  state.fill(0, 12);
  used = 64;
}

const rotate = (x: number, n: number) => (x << n) | (x >>> (32 - n));

/** x[to] = (x[to] ^ (x[from] += x[add])) <<< bits, the step that a quarter round has four times. */
function step(from: number, add: number, to: number, bits: number): void {
  const sum = ((block[from] ?? 0) + (block[add] ?? 0)) >>> 0;
  block[from] = sum;
  block[to] = rotate((block[to] ?? 0) ^ sum, bits);
}

function quarter(a: number, b: number, c: number, d: number): void {
  step(a, b, d, 16);
  step(c, d, b, 12);
  step(a, b, d, 8);
  step(c, d, b, 7);
}

function refill(): void {
  for (let i = 0; i < 16; i++) block[i] = state[i] ?? 0;
  for (let round = 0; round < 10; round++) {
    quarter(0, 4, 8, 12);
    quarter(1, 5, 9, 13);
    quarter(2, 6, 10, 14);
    quarter(3, 7, 11, 15);
    quarter(0, 5, 10, 15);
    quarter(1, 6, 11, 12);
    quarter(2, 7, 8, 13);
    quarter(3, 4, 9, 14);
  }
  for (let i = 0; i < 16; i++) block[i] = (block[i] ?? 0) + (state[i] ?? 0);
  state[12] = (state[12] ?? 0) + 1;
  if (state[12] === 0) state[13] = (state[13] ?? 0) + 1;
  used = 0;
}

function nextByte(): number {
  if (used >= 64) refill();
  return bytes[used++] ?? 0;
}

export function fillRandom(target: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] = nextByte();
}

/** 53 random bits, as a number from 0 up to 1. */
export function randomNumber(): number {
  const high = (nextByte() << 19) | (nextByte() << 11) | (nextByte() << 3) | (nextByte() >>> 5);
  const low = ((nextByte() << 24) | (nextByte() << 16) | (nextByte() << 8) | nextByte()) >>> 0;
  return ((high & 0x1fffff) * 0x100000000 + low) / 0x20000000000000;
}

export function installRandom(): void {
  Object.defineProperty(Math, "random", {
    value: function random() {
      return randomNumber();
    },
    writable: true,
    configurable: true,
  });
}
