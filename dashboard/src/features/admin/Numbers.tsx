// A form of numbers that may be left to the defaults.
import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { Button } from "@/components/Button";
import { Line } from "@/components/Line";
import { ProblemView } from "@/components/states";
import { useLanguage } from "@/i18n/language";

export interface NumberField<Name extends string> {
  name: Name;
  label: string;
  value: number | null;
  /** What holds when the field is empty, if that is known. */
  fallback?: number;
}

export function Numbers<Name extends string>({
  fields,
  isReadOnly,
  onSave,
  trial,
}: {
  fields: readonly NumberField<Name>[];
  isReadOnly?: boolean;
  onSave: (values: Record<Name, number | null>) => Promise<unknown>;
  /** Something that can be done with the numbers before they are saved. */
  trial?: { label: string; act: (values: Record<Name, number | null>) => Promise<unknown> };
}) {
  const { t } = useLanguage();
  const { register, handleSubmit } = useForm<Record<string, string>>({
    defaultValues: Object.fromEntries(fields.map(({ name, value }) => [name, value === null ? "" : String(value)])),
  });
  const numbers = (texts: Record<string, string>) =>
    Object.fromEntries(fields.map(({ name }) => [name, texts[name] ? Number(texts[name]) : null])) as Record<
      Name,
      number | null
    >;
  const save = useMutation({ mutationFn: (texts: Record<string, string>) => onSave(numbers(texts)) });
  const tryOut = useMutation({ mutationFn: async (texts: Record<string, string>) => trial?.act(numbers(texts)) });
  const error = save.error ?? tryOut.error;
  return (
    <form className="space-y-4" onSubmit={handleSubmit((texts) => save.mutate(texts))}>
      <div className="grid gap-4 sm:grid-cols-2">
        {fields.map(({ name, label, fallback }) => (
          <Line key={name} label={label}>
            <input
              {...register(name)}
              type="number"
              min={0}
              step="any"
              readOnly={isReadOnly}
              placeholder={fallback === undefined ? t("limits.default") : t("limits.defaultIs", { value: fallback })}
              className="field mt-1 w-full"
            />
          </Line>
        ))}
      </div>
      {error && <ProblemView error={error} />}
      {(trial || !isReadOnly) && (
        <div className="flex flex-wrap justify-end gap-2">
          {trial && (
            <Button isBusy={tryOut.isPending} onClick={handleSubmit((texts) => tryOut.mutate(texts))}>
              {trial.label}
            </Button>
          )}
          {!isReadOnly && (
            <Button type="submit" look="primary" isBusy={save.isPending}>
              {t("action.save")}
            </Button>
          )}
        </div>
      )}
    </form>
  );
}
