/** Shows the API's document: operations by subject, then the named shapes. Every text is set as text, never as markup. */
const METHODS = ['get', 'post', 'put', 'patch', 'delete']

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** A schema as JSON text, in which each name of a shape is a link to it. */
const shapeOf = (schema) => {
  const text = JSON.stringify(schema, null, 2)
  const parts = text.split(/("#\/components\/schemas\/\w+")/).map((part) => {
    const name = /^"#\/components\/schemas\/(\w+)"$/.exec(part)?.[1]
    return name === undefined ? part : element('a', { href: `#shape-${name}` }, name)
  })
  return element('pre', {}, ...parts)
}

const parametersOf = (parameters) =>
  element(
    'table',
    {},
    element('tr', {}, ...['name', 'in', 'required', 'shape'].map((title) => element('th', {}, title))),
    ...parameters.map(({ name, in: place, required, schema }) =>
      element(
        'tr',
        {},
        element('td', {}, element('code', {}, name)),
        element('td', {}, place),
        element('td', {}, required ? 'yes' : ''),
        element(
          'td',
          {},
          schema.description ?? '',
          ' ',
          element('code', {}, JSON.stringify({ ...schema, description: undefined })),
        ),
      ),
    ),
  )

const contentsOf = (content = {}) =>
  Object.entries(content).flatMap(([type, { schema }]) => [element('p', {}, element('code', {}, type)), shapeOf(schema)])

const operationOf = (method, path, { operationId, summary, parameters = [], requestBody, responses }) => {
  const details = element(
    'details',
    { id: operationId },
    element('summary', {}, element('code', {}, method.toUpperCase()), ' ', element('code', {}, path), ' ', summary),
    ...(parameters.length > 0 ? [parametersOf(parameters)] : []),
    ...(requestBody === undefined ? [] : [element('h4', {}, 'Body'), ...contentsOf(requestBody.content)]),
    ...Object.entries(responses).flatMap(([status, { description, content }]) => [
      element('h4', {}, `${status} ${description}`),
      ...contentsOf(content),
    ]),
  )
  details.dataset.text = `${method} ${path} ${operationId} ${summary}`.toLowerCase()
  return details
}

const show = ({ paths, components }) => {
  const bySubject = new Map()
  for (const [path, operations] of Object.entries(paths))
    for (const method of METHODS.filter((each) => each in operations)) {
      const [subject = ''] = operations[method].tags
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), operationOf(method, path, operations[method])])
    }
  const sections = [...bySubject].sort(([a], [b]) => a.localeCompare(b))
  const shapes = Object.entries(components.schemas).map(([name, schema]) =>
    element('section', { id: `shape-${name}` }, element('h3', {}, name), shapeOf(schema)),
  )
  document
    .querySelector('#subjects')
    .append(
      ...[...sections.map(([subject]) => subject), 'shapes'].map((name) => element('a', { href: `#subject-${name}` }, name)),
    )
  document
    .querySelector('#operations')
    .replaceChildren(
      ...sections.map(([subject, operations]) =>
        element('section', { id: `subject-${subject}` }, element('h2', {}, subject), ...operations),
      ),
      element('section', { id: 'subject-shapes' }, element('h2', {}, 'shapes'), ...shapes),
    )
}

document.querySelector('#search').addEventListener('input', ({ target }) => {
  const words = target.value.toLowerCase().split(/\s+/)
  for (const details of document.querySelectorAll('details'))
    details.hidden = !words.every((word) => details.dataset.text.includes(word))
})

const answer = await fetch('/api/openapi.json')
show(await answer.json())
