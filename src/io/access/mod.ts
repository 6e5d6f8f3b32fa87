export { ApiKeyStore, type ApiKeyStoreOptions } from './api-key-store.ts';
export { AppStore, type AppStoreOptions } from './app-store.ts';
export { AuditLog, type AuditLogOptions } from './audit-log.ts';
export { TokenVerifier, type TokenVerifierOptions } from './token-verifier.ts';
