// What runs now, at hand on every page: a round button with a number, and a list behind it. Hidden when nothing runs.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { Ban, X } from "lucide-react";
import { Popover } from "radix-ui";
import { activeExecutions, type Row } from "@/api/executions";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Progress } from "@/components/Progress";
import { StatusIcon } from "@/components/StatusBadge";
import { Elapsed } from "@/components/time";
import { Name, shortId } from "@/features/executions/Name";
import { useCommand } from "@/features/executions/useCommand";
import { useFormats, useLanguage } from "@/i18n/language";
import { MAX_ACTIVE } from "@/live/patch";

/** The list shows this many; a link leads to the others. */
const MAX_SHOWN = 30;

export function Monitor() {
  const { t } = useLanguage();
  const formats = useFormats();
  const { data: rows } = useQuery(activeExecutions);
  if (!rows?.length) return null;
  const isRunning = rows.some((row) => row.status === "running");
  const isFull = rows.length >= MAX_ACTIVE;
  return (
    <Popover.Root>
      <Popover.Trigger
        id="monitor"
        aria-label={t("monitor.open", { count: rows.length })}
        className={clsx(
          isRunning ? "status-running" : "status-waiting",
          "fixed right-4 bottom-[calc(env(safe-area-inset-bottom)+4.25rem)] z-30 grid size-12 place-items-center rounded-full bg-status-solid font-semibold text-white shadow-float transition-transform hover:scale-105 sm:bottom-5 sm:right-5",
          isRunning && "animate-glow",
        )}
      >
        <span className="tabular">{isFull ? "99+" : formats.number(rows.length)}</span>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          aria-label={t("monitor.title")}
          side="top"
          align="end"
          sideOffset={10}
          collisionPadding={12}
          className="z-40 flex max-h-[min(70vh,560px)] w-[min(380px,calc(100vw-24px))] animate-appear flex-col overflow-hidden rounded-xl border bg-raised shadow-float focus:outline-none"
        >
          <div className="flex items-center justify-between border-b py-2 pr-2 pl-4">
            <h2 className="font-semibold">{t("monitor.title")}</h2>
            <Popover.Close asChild>
              <Button look="quiet" size="small" icon={X} aria-label={t("action.close")} />
            </Popover.Close>
          </div>
          <ul className="divide-y overflow-auto">
            {rows.slice(0, MAX_SHOWN).map((row) => (
              <Item key={row.id} row={row} />
            ))}
          </ul>
          {rows.length > MAX_SHOWN && (
            <Link
              to="/executions"
              search={{ status: "running,waiting" }}
              className="border-t px-4 py-2.5 text-accent-text hover:bg-sunken"
            >
              {t("monitor.all")}
            </Link>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function Item({ row }: { row: Row }) {
  const { t } = useLanguage();
  const formats = useFormats();
  const { may } = useStanding();
  const { send, dialog, isBusy } = useCommand(row.id);
  const remaining = row.progress.eta_seconds;
  return (
    <li className="relative px-4 py-3 hover:bg-sunken">
      <div className="flex items-center gap-2">
        <StatusIcon status={row.status} />
        <Popover.Close asChild>
          <Link to="/executions/$id" params={{ id: row.id }} className="min-w-0 flex-1 truncate font-medium covers">
            <Name row={row} /> <span className="font-mono font-normal text-ink-faint text-xs">{shortId(row.id)}</span>
          </Link>
        </Popover.Close>
        {may("execution_steer") && (
          <Button
            look="quiet"
            size="small"
            icon={Ban}
            isBusy={isBusy}
            aria-label={t("command.cancel")}
            title={t("command.cancel")}
            onClick={() => send("cancel")}
            className="-my-1 -mr-1.5 relative z-10"
          />
        )}
      </div>
      <Progress fraction={row.progress.fraction} status={row.status} className="mt-1.5" />
      <div className="mt-1 flex justify-between text-ink-soft text-xs">
        <Elapsed from={row.started_at ?? row.created_at} />
        {remaining != null && (
          <span className="tabular">{t("monitor.remaining", { time: formats.duration(remaining * 1_000) })}</span>
        )}
      </div>
      {dialog}
    </li>
  );
}
