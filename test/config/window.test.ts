import { expect, it } from "vitest";
import { parseWindow } from "../../src/config/window.ts";

it.each([
  ["Sun 02:00-04:00 UTC", { days: ["Sun"], start: 120, end: 240, zone: "UTC" }],
  ["Mon,Wed-Fri 22:00-05:30 Europe/Berlin", { days: ["Mon", "Wed", "Thu", "Fri"], start: 1320, end: 330, zone: "Europe/Berlin" }],
  ["Sat-Mon 00:00-24:00 UTC", { days: ["Mon", "Sat", "Sun"], start: 0, end: 1440, zone: "UTC" }],
  ["daily 01:00-03:00 UTC", { days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], start: 60, end: 180, zone: "UTC" }],
  ["01:00-03:00 UTC", { days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], start: 60, end: 180, zone: "UTC" }],
])("%s is a window", (written, window) => {
  expect(parseWindow(written)).toEqual(window);
});

it.each(["", "Sun", "Sun 02:00-04:00", "Sunday 02:00-04:00 UTC", "Sun 2:00-4:00 UTC", "Sun 02:00-04:60 UTC", "Sun 24:00-25:00 UTC", "Sun 02:00-02:00 UTC", "Sun-Mon-Tue 02:00-04:00 UTC", "Xyz 02:00-04:00 UTC", "Sun 02:00-04:00 Mars/Olympus", "Sun 02:00-04:00 UTC and more"])("%j is none", (written) => {
  expect(parseWindow(written)).toBeUndefined();
});
