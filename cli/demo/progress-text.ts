const FULL = "█";
const EMPTY = "░";

/** A bar of `width` characters, filled for a share in [0, 1]. */
export function formatBar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return FULL.repeat(filled) + EMPTY.repeat(width - filled);
}

/** ` 42 %`, always five characters wide; 100 % only when all are done. */
export function formatPercent(done: number, total: number): string {
  const percent = total > 0 ? Math.floor((done / total) * 100) : 0;
  return `${String(percent).padStart(3)} %`;
}

/** A number with as many decimals as help: `1,234`, `56`, `7.8`. */
export function formatCount(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

/** `4.2 s`. */
export function formatSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
