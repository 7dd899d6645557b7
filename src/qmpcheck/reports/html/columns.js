/* Columns of integers, as columns.py writes them: zlib, in base64. */

async function inflated(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* Each integer is its difference from the one before, in 64 bits; the lowest bytes of all come first. */
async function integers(base64) {
  const bytes = await inflated(base64);
  const count = bytes.length / 8;
  const values = new Float64Array(count);
  const byte = (plane, at) => bytes[plane * count + at];
  let value = 0;
  for (let at = 0; at < count; at += 1) {
    const low = byte(0, at) + byte(1, at) * 0x100 + byte(2, at) * 0x10000 + byte(3, at) * 0x1000000;
    const high = byte(4, at) | (byte(5, at) << 8) | (byte(6, at) << 16) | (byte(7, at) << 24);
    value += high * 0x100000000 + low;
    values[at] = value;
  }
  return values;
}

/* Of files that were joined to one stream: the one that a line is in, and how many lines come before it. */
function fileOf(stream, line) {
  return stream.files.findLast(([, before]) => before < line) ?? ["", 0];
}

/* The number that a line has in its own file. */
function ownLine(stream, line) {
  return line - fileOf(stream, line)[1];
}

/* The first place in a rising column whose value is not less than this one. */
function placeOf(column, value) {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (column[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
