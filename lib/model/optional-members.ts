/** Members of an answer that are left out where they would say nothing. */

/** A member that is left out when its value is undefined or empty text. */
export function member<K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { [name in K]?: V });
}

/** A list that is left out when it is empty. */
export function list<K extends string, V>(name: K, values: readonly V[] | undefined): { [name in K]?: V[] } {
  return values === undefined || values.length === 0 ? {} : ({ [name]: [...values] } as { [name in K]?: V[] });
}

/** An object that is left out when it is empty. */
export function record<K extends string, V extends object>(name: K, value: V | undefined): { [name in K]?: V } {
  return value === undefined || Object.keys(value).length === 0 ? {} : ({ [name]: value } as { [name in K]?: V });
}
