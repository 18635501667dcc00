// What the sections share.
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { clsx } from "clsx";
import type { ReactNode } from "react";
import { Button } from "@/components/Button";
import { Copy } from "@/components/Copy";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { ProblemView } from "@/components/states";
import { useLanguage } from "@/i18n/language";

export function Pill({ look, children }: { look: "good" | "off" | "open" | "bad"; children: ReactNode }) {
  const status = { good: "status-succeeded", off: "status-cancelled", open: "status-pending", bad: "status-failed" }[
    look
  ];
  return (
    <span className={clsx(status, "whitespace-nowrap rounded-full bg-status-tint px-2 py-0.5 text-status text-xs")}>
      {children}
    </span>
  );
}

/** One thing of a list: its name, what is said about it, and what can be done to it. */
export function Item({
  title,
  about,
  children,
  isOff,
}: {
  title: ReactNode;
  about: ReactNode;
  children?: ReactNode;
  isOff?: boolean;
}) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3 hover:bg-sunken sm:flex-nowrap">
      <div className={clsx("min-w-0 flex-1 basis-44", isOff && "[&>:first-child]:text-ink-soft")}>
        <div className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium">{title}</div>
        <div className="flex flex-wrap gap-x-3 break-words text-[13px] text-ink-soft">{about}</div>
      </div>
      {children}
    </li>
  );
}

/** The way to the rest of a list, and why it could not be read. */
export function More({
  list,
}: {
  list: Pick<UseInfiniteQueryResult, "error" | "data" | "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;
}) {
  const { t } = useLanguage();
  if (!list.data || !list.hasNextPage) return null;
  const read = () => void list.fetchNextPage();
  return (
    <div className="flex justify-center border-t p-3">
      {list.error && !list.isFetchingNextPage ? (
        <ProblemView error={list.error} retry={read} className="flex-1" />
      ) : (
        <Button isBusy={list.isFetchingNextPage} onClick={read}>
          {t("admin.more")}
        </Button>
      )}
    </div>
  );
}

export interface Handover {
  title: string;
  text: string;
  secret: string;
  /** What to do with it. */
  use?: { text: string; code: string };
}

/** Something that is not to be had again: it is shown until somebody closes it, and kept nowhere. */
export function ShownOnce({ handover, onClose }: { handover?: Handover; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <Dialog isOpen={handover !== undefined} onClose={onClose} title={handover?.title ?? ""} isKept>
      {handover && (
        <div className="space-y-4">
          <p className="text-ink-soft">{handover.text}</p>
          <p className="status-paused select-all break-all rounded-lg bg-status-tint p-3 font-mono text-[13px]">
            {handover.secret}
          </p>
          {handover.use && (
            <p className="text-[13px] text-ink-soft">
              {handover.use.text} <code className="font-mono text-ink">{handover.use.code}</code>
            </p>
          )}
          <DialogEnd>
            <Copy text={handover.secret} label={t("action.copy")} isMain />
            <Button look="primary" onClick={onClose}>
              {t("admin.kept")}
            </Button>
          </DialogEnd>
        </div>
      )}
    </Dialog>
  );
}

export function FormEnd({ onClose, isBusy, action }: { onClose: () => void; isBusy: boolean; action: string }) {
  const { t } = useLanguage();
  return (
    <DialogEnd>
      <Button onClick={onClose}>{t("action.close")}</Button>
      <Button type="submit" look="primary" isBusy={isBusy}>
        {action}
      </Button>
    </DialogEnd>
  );
}
