// A line without axes: how something has gone lately. The numbers beside it say how much.
import { clsx } from "clsx";

/** A value that is not known is a gap: nothing is not zero. */
export type Values = readonly (number | undefined)[];

const WIDTH = 100;
const HEIGHT = 24;
/** Room for the thickness of the line. */
const EDGE = 2;

interface Shape {
  /** Stretches of neighbors, each from left to right. One that stands alone is a point. */
  stretches: [number, number][][];
  /** From the end of one stretch to the beginning of the next. */
  bridges: [number, number][][];
  /** Whether the line goes up or down anywhere: only then is there an area below it to be seen. */
  isLevel: boolean;
}

/** `most` is what the upper edge means; without it, the largest value. All of nothing lies on the lower edge. */
export function shapeOf(values: Values, most?: number): Shape {
  const known = values.filter((value) => value !== undefined);
  const top = most ?? Math.max(0, ...known);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  const stretches: Shape["stretches"] = [];
  let current: [number, number][] | undefined;
  for (const [index, value] of values.entries()) {
    if (value === undefined) current = undefined;
    else {
      if (!current) {
        current = [];
        stretches.push(current);
      }
      // One value says how it is now.
      const x = values.length > 1 ? index * step : WIDTH;
      current.push([x, top === 0 ? HEIGHT : HEIGHT - (Math.min(value, top) / top) * HEIGHT]);
    }
  }
  const bridges = stretches.flatMap((stretch, index) => {
    const [from, to] = [stretch.at(-1), stretches[index + 1]?.[0]];
    return from && to ? [[from, to]] : [];
  });
  return { stretches, bridges, isLevel: known.every((value) => value === known[0]) };
}

function path(points: readonly (readonly [number, number])[]): string {
  const steps = points.map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${(y + EDGE).toFixed(1)}`);
  // A point has no length, and yet it is to be seen: its ends are round.
  return points.length === 1 ? `${steps.join("")}h0.01` : steps.join("");
}

export function Sparkline({ values, label, most }: { values: Values; label: string; most?: number }) {
  const { stretches, bridges, isLevel } = shapeOf(values, most);
  if (stretches.length === 0) return null;
  const line = { vectorEffect: "non-scaling-stroke", strokeLinejoin: "round", strokeLinecap: "round" } as const;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT + 2 * EDGE}`}
      preserveAspectRatio="none"
      className="h-7 w-full overflow-visible fill-none stroke-accent"
    >
      {bridges.map((points) => (
        <path key={path(points)} d={path(points)} {...line} strokeWidth="1" strokeDasharray="1 3" opacity="0.7" />
      ))}
      {stretches.map((points) => {
        const outline = path(points);
        const [first, last] = [points[0], points.at(-1)];
        return (
          <g key={outline}>
            {!isLevel && first && last && points.length > 1 && (
              <path
                d={`${outline}L${last[0].toFixed(1)} ${HEIGHT + 2 * EDGE}L${first[0].toFixed(1)} ${HEIGHT + 2 * EDGE}Z`}
                className="fill-accent stroke-none opacity-10"
              />
            )}
            <path
              d={outline}
              {...line}
              strokeWidth={points.length === 1 ? 4 : 1.5}
              className={clsx(isLevel && points.length > 1 && "opacity-60")}
            />
          </g>
        );
      })}
    </svg>
  );
}
