// The tests run in Node; of its globals they read only how many inputs a fuzz test takes.
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
