// Dialogs: one that holds something, and one that asks. Both begin where one types first, if one types there at all.
import { clsx } from "clsx";
import { X } from "lucide-react";
import { AlertDialog, Dialog as Radix } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useLanguage } from "@/i18n/language";
import { Button } from "./Button";
import { useFocusReturn } from "./useFocusReturn";

const overlay = "fixed inset-0 z-40 bg-black/35 backdrop-blur-[1px]";
const panel =
  "fixed z-50 left-1/2 top-1/2 max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 overflow-auto rounded-xl border bg-raised shadow-float animate-appear focus:outline-none sm:top-[12vh] sm:max-h-[80vh] sm:translate-y-0";

const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select";

/**
 * The first field, or else the dialog itself: what closes it is not what one has come for. Where a keyboard would come up over
 * half of the screen, it waits until it is asked for.
 */
function focusFirst(event: Event): void {
  const content = event.currentTarget;
  if (!(content instanceof HTMLElement)) return;
  event.preventDefault();
  const fields = window.matchMedia("(pointer: coarse)").matches ? [] : content.querySelectorAll<HTMLElement>(FIELDS);
  const first = [...fields].find((field) => field.checkVisibility() && !field.matches(":disabled, [readonly]"));
  (first ?? content).focus({ preventScroll: true });
}

export function Dialog({
  isOpen,
  onClose,
  title,
  children,
  isWide,
  isKept,
}: {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  isWide?: boolean;
  /** A click beside it does not close it. */
  isKept?: boolean;
}) {
  const { t } = useLanguage();
  const focus = useFocusReturn();
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          {...focus}
          onOpenAutoFocus={(event) => {
            focus.onOpenAutoFocus();
            focusFirst(event);
          }}
          onInteractOutside={(event) => isKept && event.preventDefault()}
          className={clsx(panel, isWide ? "max-w-2xl" : "max-w-lg")}
          aria-describedby={undefined}
        >
          <div className="sticky top-0 z-10 flex items-center justify-between border-b bg-raised px-5 py-3">
            <Radix.Title className="font-semibold text-[15px]">{title}</Radix.Title>
            <Radix.Close asChild>
              <Button look="quiet" size="small" icon={X} aria-label={t("action.close")} />
            </Radix.Close>
          </div>
          <div className="p-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** What ends a form in a dialog: in sight also when the form is longer than the dialog is high. */
export function DialogEnd({ children }: { children: ReactNode }) {
  return (
    <div className="-mx-5 -mb-5 sticky bottom-0 z-10 flex flex-wrap items-center justify-end gap-2 border-t bg-raised px-5 py-3">
      {children}
    </div>
  );
}

/** Asks before something is destroyed or stopped. With `typed`, that word must be typed first. */
export function Confirm({
  isOpen,
  onClose,
  onConfirm,
  title,
  text,
  action,
  typed,
  isBusy,
  isHarmless,
}: {
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  title: string;
  text: string;
  action: string;
  typed?: string;
  isBusy?: boolean;
  /** Nothing is lost by it. */
  isHarmless?: boolean;
}) {
  const { t } = useLanguage();
  const [answer, setAnswer] = useState("");
  const focus = useFocusReturn();
  const close = () => {
    setAnswer("");
    onClose();
  };
  return (
    <AlertDialog.Root open={isOpen} onOpenChange={(open) => !open && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={overlay} />
        <AlertDialog.Content
          {...focus}
          onOpenAutoFocus={(event) => {
            focus.onOpenAutoFocus();
            // Without a word to type, what keeps everything as it is.
            if (typed !== undefined) focusFirst(event);
          }}
          className={clsx(panel, "max-w-md p-5")}
        >
          <AlertDialog.Title className="font-semibold text-[15px]">{title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-1.5 text-ink-soft">{text}</AlertDialog.Description>
          {typed !== undefined && (
            <label className="mt-4 block">
              {t("action.typeToConfirm")} <span className="select-all font-medium font-mono">{typed}</span>
              <input
                value={answer}
                onChange={(event) => setAnswer(event.target.value)}
                autoComplete="off"
                spellCheck={false}
                className="field mt-1 w-full font-mono"
              />
            </label>
          )}
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>{t("action.keep")}</Button>
            </AlertDialog.Cancel>
            <Button
              look={isHarmless ? "primary" : "danger"}
              isBusy={isBusy}
              disabled={typed !== undefined && answer !== typed}
              onClick={() => {
                setAnswer("");
                onConfirm();
              }}
            >
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
