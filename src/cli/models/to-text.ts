/** What a command gives, for the terminal: an object as lines of name and value, a list as a table. */
export function toText(result: unknown): string {
  const rows = (Array.isArray(result) ? result : [result]) as Record<string, unknown>[];
  const columns = Object.keys(rows[0] ?? {});
  if (rows.length === 1)
    return columns.map((column) => `${column.padEnd(22)} ${toCell(rows[0]![column])}`).join('\n');
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => toCell(row[column]).length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index]!))
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map((row) => line(columns.map((column) => toCell(row[column]))))].join('\n');
}

function toCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number' && !Number.isInteger(value)) return value.toFixed(4).replace(/\.?0+$/, '');
  return Array.isArray(value) ? value.join('; ') || '-' : String(value);
}
