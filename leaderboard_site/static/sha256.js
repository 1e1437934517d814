// SHA-256 of what comes in pieces: browsers only hash what lies in memory whole, and a checkpoint does not.
(() => {
  "use strict";
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const fraction = (x) => Math.floor((x - Math.floor(x)) * 2 ** 32);
  const K = Uint32Array.from(primes, (p) => fraction(Math.cbrt(p)));
  const START = primes.slice(0, 8).map((p) => fraction(Math.sqrt(p)));

  window.Sha256 = class {
    constructor() {
      this.state = Uint32Array.from(START);
      this.words = new Uint32Array(64);
      this.rest = new Uint8Array(0);
      this.size = 0;
    }

    add(bytes) {
      this.size += bytes.length;
      let data = bytes;
      if (this.rest.length) {
        data = new Uint8Array(this.rest.length + bytes.length);
        data.set(this.rest);
        data.set(bytes, this.rest.length);
      }
      const whole = data.length - (data.length % 64);
      for (let at = 0; at < whole; at += 64) this.block(data, at);
      this.rest = data.slice(whole);
    }

    block(data, at) {
      const w = this.words, s = this.state;
      for (let i = 0; i < 16; i++, at += 4) w[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = w[i - 16] + low + w[i - 7] + high;
      }
      let a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
      for (let i = 0; i < 64; i++) {
        const up = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const one = (h + up + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const down = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const two = (down + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
    }

    hex() {
      const bits = this.size * 8, pad = new Uint8Array(((this.rest.length < 56 ? 56 : 120) - this.rest.length) + 8);
      pad[0] = 128;
      const view = new DataView(pad.buffer);
      view.setUint32(pad.length - 8, Math.floor(bits / 2 ** 32));
      view.setUint32(pad.length - 4, bits >>> 0);
      this.add(pad);
      return Array.from(this.state, (word) => word.toString(16).padStart(8, "0")).join("");
    }
  };
})();
