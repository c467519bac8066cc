/** The benchmark in numbers, as the output `cis` of a host. */

export interface Summary {
  passed: number;
  failed: number;
  /** Right on disk, and not in effect yet. */
  pending: number;
  /** For a person to judge. */
  manual: number;
  notApplicable: number;
  unknown: number;
  /** `2.12 authorization for Docker client commands is enabled`, in the benchmark's order. */
  failing: string[];
}
