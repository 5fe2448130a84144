// packed: reads what bench/report/page/packed.cpp wrote.

export function unpackedLines(packed) {
  let last = "";
  return packed.split("\n").map((line) => {
    const space = line.indexOf(" ");
    last = last.slice(0, Number(line.slice(0, space))) + line.slice(space + 1);
    return last;
  }).join("\n");
}

export function unpackedJson({keys, data}) {
  const whole = (value) => {
    if (!Array.isArray(value)) return value;
    const [kind, ...values] = value;
    return kind < 0 ? values.map(whole) : Object.fromEntries(keys[kind].map((key, i) => [key, whole(values[i])]));
  };
  return whole(data);
}
