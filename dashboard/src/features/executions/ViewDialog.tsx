import { useState } from "react";
import type { SavedViewDetail } from "@/api/generated/schema";
import { Button } from "@/components/Button";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { useLanguage } from "@/i18n/language";

/** Asks for the name of a view and, where it may be, whether everybody is to see it. */
export function ViewDialog({
  isOpen,
  title,
  view,
  mayShare,
  isBusy,
  onClose,
  onSave,
}: {
  isOpen: boolean;
  title: string;
  /** The one that gets another name; a new one is saved without. */
  view: SavedViewDetail | undefined;
  mayShare: boolean;
  isBusy: boolean;
  onClose: () => void;
  onSave: (body: { name: string; is_shared?: boolean }) => void;
}) {
  const { t } = useLanguage();
  const [name, setName] = useState(view?.name ?? "");
  const [isShared, setShared] = useState(false);
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={title}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) onSave(view ? { name: name.trim() } : { name: name.trim(), is_shared: isShared });
        }}
      >
        <label className="block">
          <span className="font-medium">{t("views.name")}</span>
          <input
            required
            maxLength={80}
            onFocus={(event) => event.target.select()}
            value={name}
            onChange={(event) => setName(event.target.value)}
            className="field mt-1 w-full"
          />
        </label>
        {!view && mayShare && (
          <label className="flex items-start gap-2">
            <input
              type="checkbox"
              checked={isShared}
              onChange={(event) => setShared(event.target.checked)}
              className="mt-0.5 size-4 accent-[var(--accent)]"
            />
            {t("views.shareHint")}
          </label>
        )}
        {!view && <p className="text-[13px] text-ink-soft">{t("views.saveHint")}</p>}
        <DialogEnd>
          <Button onClick={onClose}>{t("action.close")}</Button>
          <Button type="submit" look="primary" isBusy={isBusy}>
            {t("action.save")}
          </Button>
        </DialogEnd>
      </form>
    </Dialog>
  );
}
