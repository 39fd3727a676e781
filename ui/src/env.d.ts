/** True in the build for tests and pictures (`vite build --mode fake`). */
declare const __FAKE__: boolean;
