import { useEffect, useRef } from 'react'

/** Of a page: names the document, and takes the focus, so that a screen reader begins there after a page without a load. */
export function PageHeading({ title }: { readonly title: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  useEffect(() => {
    document.title = `${title} · Tocsin`
    return () => {
      document.title = 'Tocsin'
    }
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {title}
    </h1>
  )
}
