// A line without axes: how something has gone lately. The numbers beside it say how much.

/** `most` is what the upper edge means; without it, the largest value. */
export function points(values: readonly number[], width: number, height: number, most?: number): [number, number][] {
  const top = most ?? Math.max(...values, 0);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values.map((value, index) => [index * step, top === 0 ? height : height - (value / top) * height]);
}

export function Sparkline({ values, label, most }: { values: readonly number[]; label: string; most?: number }) {
  const line = points(values, 100, 24, most)
    .map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${(y + 2).toFixed(1)}`)
    .join("");
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox="0 0 100 28"
      preserveAspectRatio="none"
      className="h-7 w-full overflow-visible"
    >
      <path d={`${line}L100 28L0 28Z`} className="fill-accent opacity-10" />
      <path
        d={line}
        className="fill-none stroke-accent"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
        strokeLinejoin="round"
      />
    </svg>
  );
}
