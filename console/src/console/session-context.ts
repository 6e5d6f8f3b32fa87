import { type Context, createContext, useContext } from 'react';
import type { SessionResource } from '../../../src/api/console-contract.ts';

/** Who is signed in; `undefined` before it is known. */
export const SessionContext: Context<SessionResource | undefined> = createContext<SessionResource | undefined>(undefined);

/** Whether the page may offer changes. The server decides by itself. */
export const useMayChange = (): boolean => useContext(SessionContext)?.scope === 'admin';

/** Whether the server that answers is part of a cluster. */
export const useIsInCluster = (): boolean => useContext(SessionContext)?.server.isInCluster === true;
