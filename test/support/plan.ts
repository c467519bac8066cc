/** A plan that does nothing; each test adds what it is about. */

import { emptyPlan as nothing, type Plan } from "../../src/plan/plan.ts";

export const noDocker = nothing.docker;

export const emptyPlan = (change: Partial<Plan> = {}): Plan => ({ ...nothing, ...change });
