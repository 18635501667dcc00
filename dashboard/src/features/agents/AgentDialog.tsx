import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId } from "react";
import { useForm } from "react-hook-form";
import { secretNames } from "@/api/admin";
import { agentKeys, changeAgent, createAgent } from "@/api/agents";
import type { Adapter, AgentView } from "@/api/generated/schema";
import { useStanding } from "@/api/me";
import { Button } from "@/components/Button";
import { Dialog, DialogEnd } from "@/components/Dialog";
import { Line } from "@/components/Line";
import { ProblemView } from "@/components/states";
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
  const { register, handleSubmit, watch, formState } = useForm<Values>({
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
  const save = useMutation({
    mutationFn: ({ key, ...values }: Values) => {
      const parameters = JSON.parse(values.parameters) as Record<string, unknown>;
      const body = {
        ...values,
        model: values.model || null,
        system_prompt: values.system_prompt || null,
        parameters: values.adapter === "openai" ? withKey(parameters, key) : parameters,
      };
      return agent ? changeAgent(agent.id, body) : createAgent(body);
    },
    onSuccess(saved) {
      void queries.invalidateQueries({ queryKey: agentKeys.all });
      onClose();
      if (!agent) void navigate({ to: "/agents/$id", params: { id: saved.id } });
    },
  });
  const adapter = watch("adapter");
  const suggestions = useId();
  const standing = useStanding();
  const { data: names } = useQuery({ ...secretNames, enabled: adapter === "openai" && standing.may("secret_read") });
  const { errors } = formState;
  return (
    <form noValidate className="space-y-4" onSubmit={handleSubmit((values) => save.mutate(values))}>
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
      {adapter === "openai" && (
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
      )}
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
