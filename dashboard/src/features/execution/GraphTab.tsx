import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { executionDefinition } from "@/api/executions";
import { Card } from "@/components/Card";
import { ProblemView, SkeletonPanel } from "@/components/states";
import Graph from "@/features/execution-graph/Graph";
import { flat, modelOf } from "@/features/execution-graph/model";
import { TaskPanel } from "./TaskPanel";
import { type Timeline, tallies } from "./timeline";

const route = getRouteApi("/pages/executions/$id");

export default function GraphTab({ id, timeline }: { id: string; timeline: Timeline }) {
  const { task } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(executionDefinition(id));
  const tasks = useMemo(() => modelOf(data?.definition), [data]);
  const shown = useMemo(() => tallies(timeline.instances), [timeline]);
  const select = (next: string | undefined) =>
    void navigate({ search: (old) => ({ ...old, task: next }), replace: true });
  // An instance is chosen by its path, a task by its pointer.
  const pointer = timeline.instances.find((instance) => instance.path === task)?.pointer ?? task;
  const condition = flat(tasks).find((one) => one.pointer === pointer)?.condition;
  if (error && !data) return <ProblemView error={error} retry={() => void refetch()} />;
  if (!data) return <SkeletonPanel className="min-h-[460px] flex-1" />;
  return (
    <div className="flex min-h-[460px] flex-1 gap-4 max-lg:flex-col">
      <Card className="relative min-h-[420px] flex-1 overflow-hidden">
        <div className="absolute inset-0">
          <Graph tasks={tasks} shown={shown} selected={pointer} onSelect={select} />
        </div>
      </Card>
      {task && <TaskPanel id={id} timeline={timeline} task={task} condition={condition} onSelect={select} />}
    </div>
  );
}
