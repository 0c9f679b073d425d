const maxBytes = 32 * 1024 * 1024;

/** `fetch` whose answer breaks off with an error once it has more bytes than any message may have. */
export async function cappedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  if (response.body === null) return response;
  let total = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        total += piece.byteLength;
        if (total > maxBytes) controller.error(new Error(`the answer has more than ${maxBytes / 1024 / 1024} MiB`));
        else controller.enqueue(piece);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(counted, { status, statusText, headers });
}
