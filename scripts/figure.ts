/**
 * Draws docs/data-flow.svg: what is wished walks from left to right, what is walks back. `node scripts/figure.ts` writes it;
 * a test compares, so that the picture changes with this file and nothing else.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const figurePath = join(import.meta.dirname, "..", "docs", "data-flow.svg");

export function renderFigure(): string {
  const body = [...arrows.map(renderArrow), ...boxes.map(renderBox), ...labels.map(renderLabel)].join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">How data flows: from the stack file to the host, and back as what was observed</title>
<style>
${style}
</style>
<defs>
<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path class="tip" d="M0 0L8 4L0 8z"/></marker>
</defs>
<rect class="paper" width="${width}" height="${height}" rx="8"/>
${body}
</svg>
`;
}

// --- Internal ---

interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
  title: string;
  lines: string[];
  kind: "yours" | "code" | "host" | "part";
}

const width = 1110;
const height = 330;

// A dark page gets dark paper where the viewer says so; elsewhere light paper is readable on either.
const style = `text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f; text-anchor: middle; }
.title { font-weight: 600; font-size: 13px; }
.label { font-style: italic; fill: #57606a; }
.paper { fill: #ffffff; }
.code { fill: #eef3f8; stroke: #6e7781; }
.yours { fill: #fff5d6; stroke: #9a6700; }
.host { fill: #e6f4ea; stroke: #1a7f37; }
.part { fill: #ffffff; stroke: #1a7f37; }
.arrow { fill: none; stroke: #57606a; stroke-width: 1.5; }
.tip { fill: #57606a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.label { fill: #9da7b3; }
.paper { fill: #0d1117; }
.code { fill: #1b2430; stroke: #8b949e; }
.yours { fill: #3a2f0b; stroke: #d4a72c; }
.host { fill: #12301d; stroke: #3fb950; }
.part { fill: #0d1117; stroke: #3fb950; }
.arrow { stroke: #9da7b3; }
.tip { fill: #9da7b3; }
}`;

const top = 60;
const bottom = 190;
const boxHeight = 70;

const boxes: Box[] = [
  { x: 20, y: top, w: 140, h: boxHeight, title: "stack file", lines: ["one for each", "environment"], kind: "yours" },
  { x: 190, y: top, w: 120, h: boxHeight, title: "src/config", lines: ["profile, groups,", "host: merged"], kind: "code" },
  { x: 340, y: top, w: 120, h: boxHeight, title: "src/desired", lines: ["templates filled,", "text checked"], kind: "code" },
  { x: 490, y: top, w: 120, h: bottom - top + boxHeight, title: "src/provider", lines: ["one resource", "for each host", "", "the wish and", "what was seen,", "in one shape"], kind: "code" },
  { x: 640, y: top, w: 130, h: boxHeight, title: "src/plan", lines: ["least disruption,", "cost, consent"], kind: "code" },
  { x: 800, y: top, w: 130, h: boxHeight, title: "src/remote", lines: ["apply as one", "transaction"], kind: "code" },
  { x: 20, y: bottom, w: 140, h: boxHeight, title: "pulumi preview", lines: ["drift, change,", "cost, CIS"], kind: "yours" },
  { x: 640, y: bottom, w: 130, h: boxHeight, title: "src/effect, src/cis", lines: ["in effect or not,", "pass or fail"], kind: "code" },
  { x: 800, y: bottom, w: 130, h: boxHeight, title: "src/observed", lines: ["what observe.sh", "saw, in types"], kind: "code" },
  { x: 970, y: top, w: 120, h: bottom - top + boxHeight, title: "host", lines: [], kind: "host" },
  { x: 980, y: top + 36, w: 100, h: 44, title: "on disk", lines: ["files, modes"], kind: "part" },
  { x: 980, y: top + 92, w: 100, h: 44, title: "kernel", lines: ["audit, limits"], kind: "part" },
  { x: 980, y: top + 148, w: 100, h: 44, title: "running", lines: ["dockerd"], kind: "part" },
];

const upper = top + boxHeight / 2;
const lower = bottom + boxHeight / 2;

const arrows: [fromX: number, fromY: number, toX: number, toY: number][] = [
  [160, upper, 188, upper],
  [310, upper, 338, upper],
  [460, upper, 488, upper],
  [610, upper, 638, upper],
  [770, upper, 798, upper],
  [930, upper, 968, upper],
  [970, lower, 932, lower],
  [800, lower, 772, lower],
  [640, lower, 612, lower],
  [490, lower, 162, lower],
];

const labels: [x: number, y: number, text: string][] = [
  [width / 2, 34, "what is wished: one way to write it, checked before it leaves your machine"],
  [width / 2, height - 24, "what is: one look over one SSH connection; nothing is believed that was not read"],
];

function renderBox({ x, y, w, h, title, lines, kind }: Box): string {
  const middle = x + w / 2;
  const first = y + (kind === "part" ? 18 : 24);
  const text = lines.map((line, i) => `<text x="${middle}" y="${first + 17 * (i + 1)}">${line}</text>`);
  return [`<rect class="${kind}" x="${x}" y="${y}" width="${w}" height="${h}" rx="6"/>`, `<text class="title" x="${middle}" y="${first}">${title}</text>`, ...text].join("\n");
}

const renderArrow = ([x1, y1, x2, y2]: (typeof arrows)[number]) => `<path class="arrow" marker-end="url(#tip)" d="M${x1} ${y1}L${x2} ${y2}"/>`;

const renderLabel = ([x, y, text]: (typeof labels)[number]) => `<text class="label" x="${x}" y="${y}">${text}</text>`;

if (import.meta.main) writeFileSync(figurePath, renderFigure());
