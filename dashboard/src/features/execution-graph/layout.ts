// Pure: where the tasks of a model stand. A workflow is a structured program, so its picture is one as well: what follows
// stands below, what happens at the same time stands beside, what is inside is drawn inside. General graph layouts know
// nothing of this; they scatter what belongs together.
import type { Lane, TaskNode, Way } from "./model";

const LEAF = { width: 212, height: 56 };
/** The head of a box that has tasks inside. */
const HEAD = 44;
/** The title of a lane. */
const LANE_HEAD = 22;
const PADDING = 14;
const GAP_DOWN = 34;
const GAP_BESIDE = 22;
export const MARK = { width: 64, height: 28 };

export interface Box {
  task: TaskNode;
  /** Relative to the parent box, or to the whole picture. */
  x: number;
  y: number;
  width: number;
  height: number;
  parent?: string;
}

export interface LaneTitle {
  id: string;
  parent: string;
  role: Lane["role"];
  x: number;
  y: number;
}

export interface Arrow {
  id: string;
  from: string;
  to: string;
  label?: string;
  /** Not to the next task, so it goes around. */
  isJump: boolean;
}

export interface Picture {
  boxes: Box[];
  titles: LaneTitle[];
  arrows: Arrow[];
  start?: { x: number; y: number };
  end?: { x: number; y: number };
  width: number;
  height: number;
}

export const START = "start";
export const END = "end";

interface Size {
  width: number;
  height: number;
}

function listSize(tasks: readonly TaskNode[]): Size {
  const sizes = tasks.map(taskSize);
  return {
    width: Math.max(LEAF.width, ...sizes.map((size) => size.width)),
    height: sizes.reduce((sum, size) => sum + size.height, 0) + GAP_DOWN * Math.max(0, tasks.length - 1),
  };
}

function hasTitles(task: TaskNode): boolean {
  return task.kind === "try" && task.lanes.length > 1;
}

function laneTop(task: TaskNode): number {
  return HEAD + (hasTitles(task) ? LANE_HEAD : 0);
}

function taskSize(task: TaskNode): Size {
  if (task.lanes.length === 0) return LEAF;
  const lanes = task.lanes.map((lane) => listSize(lane.tasks));
  return {
    width: lanes.reduce((sum, lane) => sum + lane.width, 0) + GAP_BESIDE * (lanes.length - 1) + 2 * PADDING,
    height: laneTop(task) + Math.max(...lanes.map((lane) => lane.height)) + PADDING,
  };
}

export function layout(tasks: readonly TaskNode[]): Picture {
  const picture: Picture = { boxes: [], titles: [], arrows: [], width: 0, height: 0 };
  if (tasks.length === 0) return picture;
  const size = listSize(tasks);
  const top = MARK.height + GAP_DOWN;
  placeList(tasks, { x: 0, y: top, width: size.width }, undefined, picture);
  const middle = (size.width - MARK.width) / 2;
  picture.start = { x: middle, y: 0 };
  picture.end = { x: middle, y: top + size.height + GAP_DOWN };
  picture.width = size.width;
  picture.height = picture.end.y + MARK.height;
  const [first, last] = [tasks[0], tasks.at(-1)];
  if (first) picture.arrows.push(arrow(START, first.pointer));
  if (last && goesOn(last)) picture.arrows.push(arrow(last.pointer, END));
  return picture;
}

function arrow(from: string, to: string, isJump = false, label?: string): Arrow {
  return { id: `${from}→${to}${label ? `:${label}` : ""}`, from, to, isJump, label };
}

function placeList(
  tasks: readonly TaskNode[],
  place: { x: number; y: number; width: number },
  parent: string | undefined,
  picture: Picture,
): void {
  let y = place.y;
  for (const task of tasks) {
    const size = taskSize(task);
    picture.boxes.push({ task, x: place.x + (place.width - size.width) / 2, y, ...size, parent });
    placeLanes(task, picture);
    y += size.height + GAP_DOWN;
  }
  tasks.forEach((task, index) => {
    for (const one of waysOf(task, index, tasks)) picture.arrows.push(one);
  });
}

function placeLanes(task: TaskNode, picture: Picture): void {
  let x = PADDING;
  for (const lane of task.lanes) {
    const { width } = listSize(lane.tasks);
    if (hasTitles(task)) {
      picture.titles.push({
        id: `${task.pointer}#${lane.role}`,
        parent: task.pointer,
        role: lane.role,
        x,
        y: HEAD - 4,
      });
    }
    placeList(lane.tasks, { x, y: laneTop(task), width }, task.pointer, picture);
    x += width + GAP_BESIDE;
  }
}

/** Whether what follows is reached by simply going on. */
function goesOn(task: TaskNode): boolean {
  if (task.kind === "switch")
    return !task.ways.length || task.ways.some((way) => way.to === "continue") || !hasDefault(task.ways);
  return task.ways.length === 0;
}

/** A `switch` without a case for everything else goes on when no case is met. Cases are not looked into, so a name tells. */
function hasDefault(ways: readonly Way[]): boolean {
  return ways.some((way) => way.label === "default");
}

function waysOf(task: TaskNode, index: number, siblings: readonly TaskNode[]): Arrow[] {
  const next = siblings[index + 1];
  const arrows: Arrow[] = [];
  const labels = new Map<string, string[]>();
  for (const way of task.ways) {
    const target = way.to === "continue" ? next?.pointer : targetOf(way, siblings);
    if (target) labels.set(target, [...(labels.get(target) ?? []), way.label ?? ""].filter(Boolean));
  }
  for (const [target, words] of labels) {
    arrows.push(arrow(task.pointer, target, target !== next?.pointer, words.join(", ") || undefined));
  }
  if (next && goesOn(task) && !labels.has(next.pointer)) arrows.push(arrow(task.pointer, next.pointer));
  return arrows;
}

/** `exit` leaves the list; only a task of the outermost list reaches the end by it. */
function targetOf(way: Way, siblings: readonly TaskNode[]): string | undefined {
  if (way.to === "end") return END;
  if (way.to === "exit") return siblings[0] && isOutermost(siblings[0]) ? END : undefined;
  return siblings.find((sibling) => sibling.name === way.to)?.pointer;
}

function isOutermost(task: TaskNode): boolean {
  return /^\/do\/\d+\/[^/]+$/.test(task.pointer);
}
