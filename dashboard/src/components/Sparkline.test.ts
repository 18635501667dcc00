import { expect, it } from "vitest";
import { shapeOf } from "./Sparkline";

it("draws nothing of nothing, and a point of one value", () => {
  expect(shapeOf([]).stretches).toEqual([]);
  expect(shapeOf([undefined, undefined]).stretches).toEqual([]);
  expect(shapeOf([3]).stretches).toEqual([[[100, 0]]]);
  expect(shapeOf([undefined, 3, undefined]).stretches).toEqual([[[50, 0]]]);
});

it("keeps gaps apart, and says where one leads over them", () => {
  const { stretches, bridges } = shapeOf([1, 2, undefined, undefined, 4]);
  expect(stretches).toEqual([
    [
      [0, 18],
      [25, 12],
    ],
    [[100, 0]],
  ]);
  expect(bridges).toEqual([
    [
      [25, 12],
      [100, 0],
    ],
  ]);
});

it("lays all zeros on the lower edge, and fills nothing below a level line", () => {
  expect(shapeOf([0, 0])).toEqual({
    stretches: [
      [
        [0, 24],
        [100, 24],
      ],
    ],
    bridges: [],
    isLevel: true,
  });
  expect(shapeOf([1, 1, undefined, 1], 1).isLevel).toBe(true);
  expect(shapeOf([1, 0.5], 1).isLevel).toBe(false);
});
