// A form of numbers that may be left to the defaults.
import { useMutation } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/Button";
import { Line } from "@/components/Line";
import { ProblemView } from "@/components/states";

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
}: {
  fields: readonly NumberField<Name>[];
  isReadOnly?: boolean;
  onSave: (values: Record<Name, number | null>) => Promise<unknown>;
}) {
  const { t } = useTranslation();
  const { register, handleSubmit } = useForm<Record<string, string>>({
    defaultValues: Object.fromEntries(fields.map(({ name, value }) => [name, value === null ? "" : String(value)])),
  });
  const save = useMutation({
    mutationFn: (values: Record<string, string>) =>
      onSave(
        Object.fromEntries(fields.map(({ name }) => [name, values[name] ? Number(values[name]) : null])) as Record<
          Name,
          number | null
        >,
      ),
  });
  return (
    <form className="space-y-4" onSubmit={handleSubmit((values) => save.mutate(values))}>
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
      {save.error && <ProblemView error={save.error} />}
      {!isReadOnly && (
        <div className="flex justify-end">
          <Button type="submit" look="primary" isBusy={save.isPending}>
            {t("action.save")}
          </Button>
        </div>
      )}
    </form>
  );
}
