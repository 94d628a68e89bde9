import { ApiError } from '../api/request.ts'

/** What went wrong, in the server's words, and a way on. */
export function Failure({ error, retry }: { readonly error: Error; readonly retry?: () => void }) {
  return (
    <div className="notice notice-error" role="alert">
      <p>{error.message}</p>
      {error instanceof ApiError && error.status !== 0 && (
        <p className="quiet">
          {error.status} {error.code}
        </p>
      )}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}
