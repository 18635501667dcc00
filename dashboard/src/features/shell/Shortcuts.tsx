import { Dialog } from "@/components/Dialog";
import { useLanguage } from "@/i18n/language";
import { places } from "./navigation";
import { paletteKeys } from "./shortcuts";

export default function Shortcuts({ onClose }: { onClose: () => void }) {
  const { t } = useLanguage();
  const rows: [readonly string[], string][] = [
    [paletteKeys, t("shortcut.palette")],
    [["?"], t("shortcut.help")],
    [["/"], t("shortcut.search")],
    ...places.map((place): [string[], string] => [
      ["g", place.key],
      t("shortcut.go", { place: t(`nav.${place.name}`) }),
    ]),
    [["j"], t("shortcut.next")],
    [["k"], t("shortcut.previous")],
    [["J", "K"], t("shortcut.ten")],
    [["Home", "End"], t("shortcut.ends")],
    [["Enter"], t("shortcut.open")],
    [["x"], t("shortcut.select")],
    [["Esc"], t("shortcut.clear")],
  ];
  return (
    <Dialog isOpen onClose={onClose} title={t("shell.shortcuts")}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-5 gap-y-2">
        {rows.map(([keys, text]) => (
          <div key={text} className="contents">
            <dt className="flex gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="min-w-6 rounded-md border bg-sunken px-1.5 py-0.5 text-center font-sans text-xs"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
