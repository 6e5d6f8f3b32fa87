import type * as Library from '@peculiar/x509';

/** A pair of keys as the library takes it; its types name those of browsers, which are the same ones. */
export type LibraryKeys = Library.X509CertificateCreateSelfSignedParams['keys'];

let loaded: Promise<typeof Library> | undefined;

/** The library for certificates, loaded when it is first needed: a node that is alone never does. */
export function x509(): Promise<typeof Library> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<typeof Library> {
  // The library's dependency injection asks for it before anything else.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}
