export interface TryItProps {
  readonly project: string;
  readonly trigger: string;
}

/** A form that explains a body, and gives the code that sends it. */
export function TryIt({ project, trigger }: TryItProps) {
  return <p class="muted">{`${project}/${trigger}`}</p>;
}
