// What the service suggests, as a sentence of its own; what stands between backticks is to be typed as it is.
import { clsx } from "clsx";
import { sentence } from "./sentence";

export function Advice({ text, className }: { text: string | null | undefined; className?: string }) {
  if (!text) return null;
  return (
    <span className={clsx("block text-ink-soft", className)}>
      {sentence(text)
        .split("`")
        .map((part, index) =>
          index % 2 === 0 ? (
            part
          ) : (
            <code key={index} className="break-words rounded bg-ink/5 px-1 py-px font-mono text-[0.92em] text-ink">
              {part}
            </code>
          ),
        )}
    </span>
  );
}
