/** Builds the sanitizer test program of native/; its path. */
export function buildNativeTests(): Promise<string>;
/** Builds the libFuzzer program of native/; its path, or undefined without a clang that has libFuzzer. */
export function buildNativeFuzzer(): Promise<string | undefined>;
/** Compiles the sockets as for macOS; what the compiler says. */
export function compileWithoutMmsg(): string;
