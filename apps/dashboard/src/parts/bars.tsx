export interface Bar {
  readonly name: string
  readonly value: number
  /** Of the bar's colour; absent: the accent. */
  readonly tone?: string
}

/** Figures as a table whose rows carry a bar: what is drawn is only what is written. */
export function Bars({ title, head, bars }: { readonly title: string; readonly head: string; readonly bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ value }) => value))
  return (
    <table className="bars">
      <caption>{title}</caption>
      <thead className="hidden">
        <tr>
          <th scope="col">{head}</th>
          <th scope="col">Alerts</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ name, value, tone }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="number">{value.toLocaleString()}</td>
            <td aria-hidden="true" className="bar-place">
              <span className={`bar ${tone === undefined ? '' : `tone-${tone}`}`} style={{ width: `${(value / most) * 100}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
