import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import { AlertSocket, type ConnectionState } from './alert-socket.ts'

const SocketContext = createContext<AlertSocket | null>(null)

/** One socket for the whole page, open while somebody is signed in. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const [socket] = useState(() => new AlertSocket(`${location.origin.replace(/^http/, 'ws')}/ws`))
  useEffect(() => {
    socket.start()
    return () => socket.stop()
  }, [socket])
  return <SocketContext value={socket}>{children}</SocketContext>
}

export function useSocket(): AlertSocket {
  const socket = useContext(SocketContext)
  if (socket === null) throw new Error('useSocket outside LiveProvider')
  return socket
}

export function useConnectionState(): ConnectionState {
  const socket = useSocket()
  return useSyncExternalStore(socket.watch, () => socket.state)
}
