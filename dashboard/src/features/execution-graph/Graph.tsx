// Draws a picture that layout.ts has worked out. Colors come from outside, by pointer.
import {
  Background,
  BackgroundVariant,
  BaseEdge,
  Controls,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getSmoothStepPath,
  MarkerType,
  type Node,
  Position,
  ReactFlow,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useEffect, useMemo, useRef } from "react";
import { useLanguage } from "@/i18n/language";
import { useIsDark } from "@/theme";
import { END, layout, MARK, START } from "./layout";
import type { TaskNode } from "./model";
import { Mark, type MarkData, TaskBox, type TaskData, Title, type TitleData } from "./Node";

export interface Shown {
  status: TaskData["status"];
  count: number;
  done: number;
}

const nodeTypes = { task: TaskBox, mark: Mark, title: Title };
const edgeTypes = { around: Around };

export default function Graph({
  tasks,
  shown,
  selected,
  onSelect,
}: {
  tasks: readonly TaskNode[];
  shown?: ReadonlyMap<string, Shown>;
  selected?: string;
  onSelect?: (pointer: string | undefined) => void;
}) {
  const { t } = useLanguage();
  const isDark = useIsDark();
  const labels = useMemo(
    () => ({
      "node.a11yDescription.default": t("graph.hint"),
      "node.a11yDescription.keyboardDisabled": t("graph.hint"),
      "controls.ariaLabel": t("graph.controls"),
      "controls.zoomIn.ariaLabel": t("graph.zoomIn"),
      "controls.zoomOut.ariaLabel": t("graph.zoomOut"),
      "controls.fitView.ariaLabel": t("graph.fit"),
    }),
    [t],
  );
  const picture = useMemo(() => layout(tasks), [tasks]);
  const edges = useMemo(() => {
    const names = new Map(picture.boxes.map((box) => [box.task.pointer, box.task.name]));
    const nameOf = (id: string) =>
      id === START ? t("graph.start") : id === END ? t("graph.end") : (names.get(id) ?? id);
    return edgesOf(picture.arrows).map((edge) => ({
      ...edge,
      ariaLabel: `${nameOf(edge.source)} → ${nameOf(edge.target)}`,
      domAttributes: { "aria-roledescription": t("graph.arrow") },
    }));
  }, [picture, t]);
  const nodes = useMemo(() => {
    const all: Node[] = picture.boxes.map((box) => {
      const state = shown?.get(box.task.pointer);
      const data: TaskData = {
        name: box.task.name,
        look: box.task.look,
        detail: box.task.detail,
        condition: box.task.condition,
        isBox: box.task.lanes.length > 0,
        status: state?.status,
        count: state?.count ?? 0,
        done: state?.done ?? 0,
        isLive: shown !== undefined,
        isSelected: selected === box.task.pointer,
      };
      return {
        id: box.task.pointer,
        type: "task",
        position: { x: box.x, y: box.y },
        width: box.width,
        height: box.height,
        parentId: box.parent,
        data: data as unknown as Record<string, unknown>,
        ariaLabel: box.task.name,
        domAttributes: { "aria-roledescription": t("task.details") },
      };
    });
    for (const title of picture.titles) {
      const data: TitleData = { role: title.role };
      all.push({
        id: title.id,
        type: "title",
        parentId: title.parent,
        position: { x: title.x, y: title.y },
        data: { ...data },
        selectable: false,
        focusable: false,
      });
    }
    const marks: [string, MarkData["end"], { x: number; y: number } | undefined][] = [
      [START, "start", picture.start],
      [END, "end", picture.end],
    ];
    for (const [id, end, position] of marks) {
      if (position)
        all.push({ id, type: "mark", position, ...MARK, data: { end }, selectable: false, focusable: false });
    }
    return all;
  }, [picture, shown, selected, t]);
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      edgeTypes={edgeTypes}
      colorMode={isDark ? "dark" : "light"}
      onNodeClick={(_, node) => node.type === "task" && onSelect?.(node.id)}
      onPaneClick={() => onSelect?.(undefined)}
      onNodesChange={(changes) => {
        // Enter and space on a focused box select it.
        const chosen = changes.find((change) => change.type === "select" && change.selected);
        if (chosen?.type === "select") onSelect?.(chosen.id);
      }}
      nodesDraggable={false}
      nodesConnectable={false}
      edgesFocusable={false}
      zoomOnDoubleClick={false}
      minZoom={0.1}
      maxZoom={1.6}
      fitView
      fitViewOptions={{ padding: 0.12, maxZoom: 1 }}
      aria-label={t("graph.label")}
      ariaLabelConfig={labels}
      proOptions={{ hideAttribution: true }}
    >
      <Background variant={BackgroundVariant.Dots} gap={20} size={1} color="var(--line)" bgColor="transparent" />
      <Controls showInteractive={false} />
      <Fit size={`${picture.width}x${picture.height}`} />
    </ReactFlow>
  );
}

/** What the style sheet stops, scripts stop too. */
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

/** Another picture, or another place for it, shows it whole; one that only changes its colors stays where it was moved to. */
function Fit({ size }: { size: string }) {
  const { fitView } = useReactFlow();
  const place = useStore(({ width, height }) => (width > 0 ? `${Math.round(width)}x${Math.round(height)}` : undefined));
  const last = useRef<string>(undefined);
  useEffect(() => {
    if (place === undefined) return;
    const now = `${size} in ${place}`;
    // The first time it is fitted by itself.
    if (last.current !== undefined && last.current !== now)
      void fitView({ padding: 0.12, maxZoom: 1, duration: calm.matches ? 0 : 200 });
    last.current = now;
  }, [size, place, fitView]);
  return null;
}

function edgesOf(arrows: ReturnType<typeof layout>["arrows"]): Edge[] {
  return arrows.map((arrow) => ({
    id: arrow.id,
    source: arrow.from,
    target: arrow.to,
    sourceHandle: arrow.isJump ? "side" : "down",
    targetHandle: arrow.isJump ? "side-in" : "up",
    label: arrow.label,
    type: "around",
    data: { isJump: arrow.isJump },
    zIndex: 1,
    style: { stroke: "var(--line-strong)", strokeWidth: 1.5, strokeDasharray: arrow.isJump ? "4 3" : undefined },
    markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--line-strong)" },
  }));
}

function Around({ sourceX, sourceY, targetX, targetY, label, style, markerEnd, data, id }: EdgeProps) {
  const isJump = data?.isJump === true;
  const [path, labelX, labelY] = getSmoothStepPath({
    sourceX,
    sourceY,
    targetX,
    targetY,
    sourcePosition: isJump ? Position.Right : Position.Bottom,
    targetPosition: isJump ? Position.Right : Position.Top,
    borderRadius: 10,
    offset: 22,
  });
  return (
    <>
      <BaseEdge id={id} path={path} style={style} markerEnd={markerEnd} />
      {label && (
        <EdgeLabelRenderer>
          <span
            className="pointer-events-none absolute max-w-40 truncate rounded-md border bg-surface px-1.5 text-[11px] text-ink-soft"
            style={{ transform: `translate(-50%,-50%) translate(${labelX}px,${labelY}px)` }}
          >
            {label}
          </span>
        </EdgeLabelRenderer>
      )}
    </>
  );
}
