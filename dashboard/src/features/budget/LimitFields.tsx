import { Line } from "@/components/Line";
import { useLanguage } from "@/i18n/language";
import { type LimitName, type LimitTexts, limitNames } from "./budget";

/** What may be spent, as a part of a form. */
export function LimitFields({
  names = limitNames,
  texts,
  wrong,
  onChange,
}: {
  names?: readonly LimitName[];
  texts: LimitTexts;
  wrong: readonly LimitName[];
  onChange: (texts: LimitTexts) => void;
}) {
  const { t } = useLanguage();
  return (
    <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
      {names.map((name) => (
        <Line key={name} label={t(`budget.field.${name}`)} problem={wrong.includes(name) && t("budget.noLimit")}>
          <input
            value={texts[name] ?? ""}
            inputMode="decimal"
            placeholder={t("budget.unlimited")}
            aria-invalid={wrong.includes(name)}
            onChange={(event) => onChange({ ...texts, [name]: event.target.value })}
            className="field mt-1 w-full"
          />
        </Line>
      ))}
    </div>
  );
}
