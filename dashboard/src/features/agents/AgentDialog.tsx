import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId } from "react";
import { type UseFormReturn, useForm } from "react-hook-form";
import { adminKeys, putSecret, secretNames } from "@/api/admin";
import { agentKeys, changeAgent, createAgent } from "@/api/agents";
import type { Adapter, AgentView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { ProblemView } from "@/components/states";
import { secretOf } from "@/features/admin/secret";
import { useLanguage } from "@/i18n/language";
import { keyOf, withKey, withoutKey } from "./key";

const adapters: readonly Adapter[] = ["openai", "command", "builtin"];

interface Values {
  name: string;
  description: string;
  adapter: Adapter;
  model: string;
  system_prompt: string;
  key: string;
  /** Of the secret that the key names, when there is none yet. */
  keyValue?: string;
  parameters: string;
  is_active: boolean;
}

/** Makes an agent, or changes one. */
export function AgentDialog({ agent, isOpen, onClose }: { agent?: AgentView; isOpen: boolean; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title={t(agent ? "agent.change" : "agent.new")} isWide>
      <AgentForm agent={agent} onClose={onClose} />
    </Dialog>
  );
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function AgentForm({ agent, onClose }: { agent?: AgentView; onClose: () => void }) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const form = useForm<Values>({
    defaultValues: {
      name: agent?.name ?? "",
      description: agent?.description ?? "",
      adapter: agent?.adapter ?? "openai",
      model: agent?.model ?? "",
      system_prompt: agent?.system_prompt ?? "",
      key: keyOf(agent?.parameters ?? {}),
      parameters: JSON.stringify(withoutKey(agent?.parameters ?? {}), null, 2),
      is_active: agent?.is_active ?? true,
    },
  });
  const { register, handleSubmit, watch } = form;
  const save = useMutation({
    mutationFn: async ({ key, keyValue, ...values }: Values) => {
      const secret = keyValue ? secretOf("text", keyValue) : undefined;
      if (secret !== undefined) await putSecret(key.trim(), secret);
      const parameters = JSON.parse(values.parameters) as Record<string, unknown>;
      const body = {
        ...values,
        model: values.model || null,
        system_prompt: values.system_prompt || null,
        parameters: values.adapter === "openai" ? withKey(parameters, key) : parameters,
      };
      return agent ? changeAgent(agent.id, body) : createAgent(body);
    },
    // A value that was typed does not stay in the memory of the page.
    gcTime: 0,
    onSettled: () => queries.invalidateQueries({ queryKey: adminKeys.secrets }),
    onSuccess: () => void queries.invalidateQueries({ queryKey: agentKeys.all }),
  });
  const submit = (values: Values) =>
    save.mutate(values, {
      onSuccess({ id }) {
        onClose();
        if (!agent) void navigate({ to: "/agents/$id", params: { id } });
      },
    });
  const adapter = watch("adapter");
  const { errors } = form.formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit(submit)}>
      <Line label={t("agent.name")} problem={errors.name && t("agent.nameNeeded")}>
        <input {...register("name", { required: true, maxLength: 120 })} className="field mt-1 w-full" />
      </Line>
      <Line label={t("agent.description")}>
        <input {...register("description")} className="field mt-1 w-full" />
      </Line>
      <div className="grid gap-4 sm:grid-cols-2">
        <Line label={t("agent.adapter")}>
          <select {...register("adapter")} className="field mt-1 w-full">
            {adapters.map((one) => (
              <option key={one} value={one}>
                {t(`adapter.${one}`)}
              </option>
            ))}
          </select>
        </Line>
        {adapter === "openai" && (
          <Line label={t("agent.model")}>
            <input {...register("model")} className="field mt-1 w-full" />
          </Line>
        )}
      </div>
      {adapter === "openai" && (
        <Line label={t("agent.prompt")}>
          <textarea {...register("system_prompt")} rows={4} className="field mt-1 h-auto w-full py-2" />
        </Line>
      )}
      {adapter === "openai" && <KeyLines form={form} />}
      <Line
        label={t("agent.parameters")}
        hint={t(`agent.parametersHint.${adapter}`)}
        problem={errors.parameters && t("run.problem.json")}
      >
        <textarea
          {...register("parameters", { validate: isJsonObject })}
          rows={5}
          spellCheck={false}
          className="field mt-1 h-auto w-full py-2 font-mono text-[13px]"
        />
      </Line>
      <label className="flex items-center gap-2">
        <input type="checkbox" {...register("is_active")} className="size-4 accent-[var(--accent)]" />
        {t("agent.active")}
      </label>
      {save.error && <ProblemView error={save.error} />}
      <DialogEnd>
        <Button onClick={onClose}>{t("action.close")}</Button>
        <Button type="submit" look="primary" isBusy={save.isPending}>
          {t("action.save")}
        </Button>
      </DialogEnd>
    </form>
  );
}

/** The secret that is the key, and its value where it is not stored yet. */
function KeyLines({ form }: { form: UseFormReturn<Values> }) {
  const { t } = useLanguage();
  const { may } = useStanding();
  const suggestions = useId();
  const { data: names } = useQuery({ ...secretNames, enabled: may("secret_read") });
  const { register, watch } = form;
  const { errors } = form.formState;
  const key = watch("key").trim();
  // Of many secrets only the newest are known here: one that is not among them may exist.
  const isNew = names && names.length < 100 && key !== "" && !names.includes(key) && may("secret_write");
  return (
    <>
      <Line label={t("agent.key")} hint={t("agent.keyHint")}>
        <input
          {...register("key")}
          list={suggestions}
          maxLength={128}
          spellCheck={false}
          autoComplete="off"
          className="field mt-1 w-full font-mono text-[13px]"
        />
        <datalist id={suggestions}>
          {names?.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </Line>
      {isNew && (
        <Line
          label={t("agent.keyValue")}
          hint={t("agent.keyNew")}
          problem={errors.keyValue && t("secrets.valueNeeded")}
        >
          <input
            {...register("keyValue", {
              validate: (text) => !text || secretOf("text", text) !== undefined,
              shouldUnregister: true,
            })}
            type="password"
            autoComplete="new-password"
            aria-invalid={Boolean(errors.keyValue)}
            className="field mt-1 w-full font-mono text-[13px]"
          />
        </Line>
      )}
    </>
  );
}
