import { expect, it } from "vitest";
import { keyOf, withKey, withoutKey } from "./key";

it("takes the key out of the parameters and puts it back", () => {
  const parameters = { base_url: "https://gateway.example.com/v1", api_key_secret: "gateway-key" };
  expect(keyOf(parameters)).toBe("gateway-key");
  expect(withoutKey(parameters)).toEqual({ base_url: "https://gateway.example.com/v1" });
  expect(withKey(withoutKey(parameters), keyOf(parameters))).toEqual(parameters);
  expect(withKey(withoutKey(parameters), " ")).toEqual({ base_url: "https://gateway.example.com/v1" });
});

it("loses nothing that somebody wrote among the parameters", () => {
  expect(withKey({ api_key_secret: "written" }, "")).toEqual({ api_key_secret: "written" });
  expect(withKey({ api_key_secret: "written" }, "chosen")).toEqual({ api_key_secret: "chosen" });
  expect([keyOf({ api_key_secret: 7 }), withoutKey({ api_key_secret: 7 })]).toEqual(["", { api_key_secret: 7 }]);
});
