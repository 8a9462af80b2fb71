// Packed numbers: what app/masks.py and app/palette.py send as base64.
(() => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const bits = (packed, count) => {
    const raw = bytes(packed);
    return Uint8Array.from({ length: count }, (_, k) => (raw[k >> 3] >> (7 - (k & 7))) & 1);
  };
  // Architectures under a lasso as `app.masks` packs them; empty where there are none.
  const marked = (selected) => {
    const numbers = ((selected && selected.points) || []).map((point) => point.customdata).filter(Number.isInteger);
    if (!numbers.length) return "";
    const raw = new Uint8Array((numbers.reduce((most, k) => Math.max(most, k)) >> 3) + 1);
    for (const k of numbers) raw[k >> 3] |= 128 >> (k & 7);
    return btoa(raw.reduce((text, byte) => text + String.fromCharCode(byte), ""));
  };
  window.packed = { bytes, floats, bits, marked };
})();
