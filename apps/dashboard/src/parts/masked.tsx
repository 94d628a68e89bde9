/** As the server puts it in place of what the role may not read (libs/access, mask-alert.ts). */
const MASKED = '[masked]'

export const Masked = () => (
  <span className="masked" title="Your role may not read this.">
    masked
  </span>
)

/** A text of an alert, which may be masked. */
export const Shown = ({ value }: { readonly value: string }) => (value === MASKED ? <Masked /> : value)
