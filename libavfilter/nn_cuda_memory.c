/*
 * Nets on the GPU: where tensors lie in memory
 *
 * This file is part of FFmpeg.
 *
 * FFmpeg is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * FFmpeg is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with FFmpeg; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin Street, Fifth Floor, Boston, MA 02110-1301 USA
 */

#include "libavutil/macros.h"

#include "nn_cuda_plan.h"

#define ALIGNMENT 512           ///< of tensors

static size_t root_size(const NNCudaRoot *r, int w, int h)
{
    return FFALIGN((size_t)r->planes * (w * r->num / r->den) * (h * r->num / r->den) * 16, ALIGNMENT);
}

/* first gap between what holds something at the same time */
static size_t find_gap(const NNCudaPlan *p, int root, int w, int h)
{
    const NNCudaRoot *r = &p->roots[root];
    const size_t size = root_size(r, w, h);
    size_t at = 0;

    for (int again = 1; again; ) {
        again = 0;
        for (int i = 0; i < root; i++) {
            const NNCudaRoot *o = &p->roots[i];
            const size_t end = o->offset + root_size(o, w, h);
            if (o->first <= r->last && o->last >= r->first && at < end && at + size > o->offset) {
                at = end;
                again = 1;
            }
        }
    }
    return at;
}

size_t ff_nn_cuda_plan_size(NNCudaPlan *p, int w, int h)
{
    size_t size = 0;

    for (int i = 0; i < p->nb_roots; i++) {
        p->roots[i].offset = find_gap(p, i, w, h);
        size = FFMAX(size, p->roots[i].offset + root_size(&p->roots[i], w, h));
    }
    return size;
}
