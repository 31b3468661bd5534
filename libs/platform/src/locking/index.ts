export { takeKernelLock, tryKernelLock, type KernelLock } from './kernel-lock.ts';
