"""The templates of a leaderboard: a table of runs, the submissions, and those that are not ranked."""

_LINK = """\
{% macro linked(about, name) %}
{% if about.url %}
<a href="{{ about.url }}" rel="noopener noreferrer nofollow">{{ name }}</a>
{%- else %}{{ name }}{% endif %}
{% endmacro %}
"""
TABLE = (
    """\
{% from "macros.html.j2" import notes, scroll %}
"""
    + _LINK
    + """\
<p class="verdict">{{ verdict }}</p>
{% call scroll("Leaderboard " ~ number) %}
<table class="accuracies board stacked sortable{{ " filterable" if filterable }}"
 aria-describedby="caption-{{ number }}">
<thead><tr><th scope="col">method</th><th scope="col" class="number accuracy"
{%- if falling %} aria-sort="descending"{% endif %}>accuracy</th>
{%- if with_minus %}<th scope="col" class="number">minus best</th>{% endif %}
<th scope="col">submission</th>
{%- for title in costs %}<th scope="col" class="number">{{ title }}</th>{% endfor %}
{%- if with_data %}<th scope="col">data</th>{% endif %}
<th scope="col" class="number">episodes</th></tr></thead>
<tbody>
{% for line in lines %}
<tr><th scope="row" title="{{ line.spec }}"><span class="rank">{{ line.place }}.</span> {{ line.method }}
{%- if line.labels %}<span class="further">{{ line.labels }}</span>{% endif %}</th>
{#- -#}
<td class="number accuracy" data-title="accuracy" data-value="{{ line.value }}">
{%- if line.is_best %}<strong>{{ line.accuracy }}</strong>{% else %}{{ line.accuracy }}{% endif %}
<span class="signs">{{ line.sign }}</span>
{%- if line.bounds %}<span class="further">{{ line.bounds }}</span>{% endif %}</td>
{%- if with_minus %}<td class="number" data-title="minus best" data-value="{{ line.minus_value }}">{{ line.minus }}
{%- if line.minus_bounds %}<span class="further">{{ line.minus_bounds }}</span>{% endif %}</td>{% endif %}
<td class="about" data-title="submission">{{ linked(line.about, line.name) }}
{%- if line.about.authors %}<span class="further">{{ line.about.authors }}</span>{% endif %}
{%- for text in line.also %}<span class="further">also in {{ text }}</span>{% endfor %}
{%- if line.verified_by %}<span class="further">verified by {{ line.verified_by }}</span>{% endif %}
{%- if line.not_checked %}<span class="further">{{ line.not_checked }}</span>{% endif %}</td>
{%- for cell in line.costs %}<td class="number" data-title="{{ costs[loop.index0] }}"
{%- if cell.value is not none %} data-value="{{ cell.value }}"{% endif %}>{{ cell.text }}</td>{% endfor %}
{%- if with_data %}<td data-title="data">{{ line.data }}</td>{% endif %}
{#- -#}
<td class="number" data-title="episodes" data-value="{{ line.episodes }}">{{ "{:,}".format(line.episodes) }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption" id="caption-{{ number }}">{{ caption }} Comparability key {{ key }}.</p>
{{ notes(remarks) }}
"""
)
SUBMISSIONS = (
    """\
{% from "macros.html.j2" import scroll %}
"""
    + _LINK
    + """\
{% call scroll("Submissions") %}
<table class="board stacked sortable">
<thead><tr><th scope="col">submission</th><th scope="col">authors</th><th scope="col">folder</th>
{#- -#}
<th scope="col" class="number">runs</th><th scope="col">written</th><th scope="col">verified by</th>
{#- -#}
<th scope="col">note</th></tr></thead>
<tbody>
{% for one in submissions %}
<tr><th scope="row">{{ linked(one.about, one.name) }}</th><td data-title="authors">{{ one.about.authors }}</td>
{#- -#}
<td data-title="folder">{{ one.folder }}</td>
{#- -#}
<td class="number" data-title="runs" data-value="{{ one.n_runs }}">{{ one.n_runs }}
{%- if one.left_out %}<span class="further">{{ one.left_out }} not shared</span>{% endif %}</td>
{#- -#}
<td class="date" data-title="written">{{ one.made }}</td>
{#- -#}
<td data-title="verified by">{% for text in one.by %}{{ text }}{% if not loop.last %}<br>{% endif %}{% endfor %}</td>
{#- -#}
<td data-title="note">{{ one.about.note }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endcall %}
<p class="caption">To check more: <code>fewshot verify FOLDER --data IMAGES --rerun 3 --by NAME</code></p>
"""
)
CONFLICTS = """\
{% from "macros.html.j2" import notes %}
<p>A run id belongs to one run. These submissions give one to two.</p>
{{ notes(remarks) }}
"""
REFUSED = """\
<p>These submissions failed their verification.</p>
<dl class="findings">
{% for folder, name, problems, more in refused %}
<div><dt>{{ folder }}{% if name and name != folder %} ({{ name }}){% endif %}</dt>
{#- -#}
<dd>{% for problem in problems %}{{ problem }}{% if not loop.last %}<br>{% endif %}{% endfor %}
{%- if more %}<br>and {{ more }} more{% endif %}</dd></div>
{% endfor %}
</dl>
"""
