/** A GPU type that Serverless offers. */
interface Gpu {
  id: string;
  name: string;
  pool: string;
  /** GB. */
  memory: number;
}

/** Pools and their price in USD per GPU and second (runpod/docs, references/gpu-types and serverless pricing). */
const POOL_PRICES: Readonly<Record<string, number>> = {
  AMPERE_16: 0.00016,
  AMPERE_24: 0.00019,
  ADA_24: 0.00031,
  AMPERE_48: 0.00034,
  ADA_48_PRO: 0.00053,
  AMPERE_80: 0.00076,
  ADA_80_PRO: 0.00116,
  HOPPER_141: 0.00155,
};

const GPUS: readonly Gpu[] = [
  { id: "NVIDIA RTX A4000", name: "RTX A4000", pool: "AMPERE_16", memory: 16 },
  { id: "NVIDIA RTX A4500", name: "RTX A4500", pool: "AMPERE_16", memory: 20 },
  { id: "NVIDIA RTX 4000 Ada Generation", name: "RTX 4000 Ada", pool: "AMPERE_16", memory: 20 },
  { id: "NVIDIA RTX 2000 Ada Generation", name: "RTX 2000 Ada", pool: "AMPERE_16", memory: 16 },
  { id: "NVIDIA L4", name: "L4", pool: "AMPERE_24", memory: 24 },
  { id: "NVIDIA RTX A5000", name: "RTX A5000", pool: "AMPERE_24", memory: 24 },
  { id: "NVIDIA GeForce RTX 3090", name: "RTX 3090", pool: "AMPERE_24", memory: 24 },
  { id: "NVIDIA GeForce RTX 4090", name: "RTX 4090", pool: "ADA_24", memory: 24 },
  { id: "NVIDIA RTX A6000", name: "RTX A6000", pool: "AMPERE_48", memory: 48 },
  { id: "NVIDIA A40", name: "A40", pool: "AMPERE_48", memory: 48 },
  { id: "NVIDIA L40", name: "L40", pool: "ADA_48_PRO", memory: 48 },
  { id: "NVIDIA L40S", name: "L40S", pool: "ADA_48_PRO", memory: 48 },
  { id: "NVIDIA RTX 6000 Ada Generation", name: "RTX 6000 Ada", pool: "ADA_48_PRO", memory: 48 },
  { id: "NVIDIA A100 80GB PCIe", name: "A100 PCIe", pool: "AMPERE_80", memory: 80 },
  { id: "NVIDIA A100-SXM4-80GB", name: "A100 SXM", pool: "AMPERE_80", memory: 80 },
  { id: "NVIDIA H100 80GB HBM3", name: "H100 SXM", pool: "ADA_80_PRO", memory: 80 },
  { id: "NVIDIA H100 PCIe", name: "H100 PCIe", pool: "ADA_80_PRO", memory: 80 },
  { id: "NVIDIA H200", name: "H200 SXM", pool: "HOPPER_141", memory: 141 },
];

/** The names of all pools. */
export const POOLS = Object.keys(POOL_PRICES);

/** What a worker costs, in USD a second. */
export const workerPrice = (pool: string, gpuCount: number): number => (POOL_PRICES[pool] ?? 0) * gpuCount;

/** The GPU type that workers of a pool run on here: its first. */
export const gpuTypeOf = (pool: string): string | undefined => GPUS.find((gpu) => gpu.pool === pool)?.id;

const PER_HOUR = 3600;
const LARGEST_COUNT = 8;

/** The catalog as GET /v2/catalog/gpus tells it. The prices of pods are not simulated and told as 0. */
export const gpuCatalog = ({ withAvailability }: { withAvailability: boolean }) =>
  GPUS.map((gpu) => ({
    ...gpu,
    manufacturer: "NVIDIA",
    secure: true,
    community: false,
    price: {
      secure: 0,
      community: 0,
      serverless: Number(((POOL_PRICES[gpu.pool] ?? 0) * PER_HOUR).toFixed(4)),
    },
    maxCount: { secure: LARGEST_COUNT, community: 0 },
    ...(withAvailability && { availability: "HIGH" }),
  }));
